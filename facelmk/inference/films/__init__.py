"""Films and cameras: read frames, follow faces from frame to frame, smooth landmarks, write films."""
