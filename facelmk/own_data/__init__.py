"""Training on annotations of one's own, in one command: `facelmk train --data DIR|FILE`."""
