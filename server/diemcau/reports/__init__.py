"""What leaves: tables as CSV and XLSX, figures by unit. Plain rows in, bytes out; no SQL, no web."""
