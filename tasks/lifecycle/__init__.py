"""What may become of an item, whoever asks: admission, attempts, pairing, withdrawal, failure, and the record of what happened.

Functions that task modules and the command line share; nothing here answers an event.
"""
