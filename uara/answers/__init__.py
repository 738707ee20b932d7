"""What people see of answers: tables and files, a ranking over several instances, a terminal."""
