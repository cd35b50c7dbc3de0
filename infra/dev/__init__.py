"""What those who change Greenroom run: generated docs, drawings, the site's static files, a browser for the tests."""
