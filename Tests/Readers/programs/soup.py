"""Writes what libsoup makes of an answer with Content-Encoding: gzip."""
import sys
import gi
gi.require_version("Soup", "3.0")
from gi.repository import Soup

sys.stdout.buffer.write(Soup.Session().send_and_read(Soup.Message.new("GET", sys.argv[1])).get_data())
