"""What is remembered: rows, blobs, queue, events."""
