"""State machines as text: one row a line, "STATE,STATE EVENT,EVENT -> next state, action". Scanned as text, as a
transition is rare and RAM is not."""


def find(rows, state, event):
    """The words of the row for an event in a state; raises KeyError if there is no such row."""
    stop = 0
    while stop >= 0:  # line by line: a list of all would need half a kilobyte in one piece
        start = stop + 1
        stop = rows.find("\n", start)
        words = rows[start:stop].split()
        if words and state in words[0].split(",") and event in words[1].split(","):
            return words
    raise KeyError(state + " " + event)
