"""Tables that people bring (CSV, XLSX, XLS) and take away: opened by content, read cell by cell, written safely."""
