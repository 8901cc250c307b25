"""The operations that MMPose 1.3.x does, with the same results: what `facelmk bench` compares with."""
