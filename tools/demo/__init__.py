"""make demo: the lab server and one virtual board, and what happens between them, told step by step."""
