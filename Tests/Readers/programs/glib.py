"""Writes what GLib's decompressor makes of a file."""
import sys
from gi.repository import Gio

stream = Gio.ConverterInputStream.new(
    Gio.File.new_for_path(sys.argv[1]).read(), Gio.ZlibDecompressor.new(Gio.ZlibCompressorFormat.GZIP))
while data := stream.read_bytes(1 << 20).get_data():
    sys.stdout.buffer.write(data)
