"""What Greenroom writes to people: data in, MIME out. Nothing here knows AWS, and no mail loads anything from afar."""
