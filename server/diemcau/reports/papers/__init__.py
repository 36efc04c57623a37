"""Paper for halls and people: badges, door posters, pairing sheets, hall lists. Rows and links in, one PDF out."""
