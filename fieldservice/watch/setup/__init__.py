"""`manage.py check_setup`: what an installation lacks, in words, each with what to do about it."""
