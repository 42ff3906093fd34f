"""What control does outside itself: one file a thing that it reaches."""
