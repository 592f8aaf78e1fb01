"""Where migration reads and keeps: files of others, and links of its own."""
