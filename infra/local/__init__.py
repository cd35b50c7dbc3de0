"""The laptop: MiniStack, a Lambda host, a front door, a mailbox and a stand-in for Rekognition, all on 127.0.0.1."""
