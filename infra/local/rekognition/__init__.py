"""A stand-in for Amazon Rekognition: its protocol in `protocol`, what it sees with in `models`."""
