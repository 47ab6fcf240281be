import std.file, std.stdio, std.zlib;

void main(string[] arguments)
{
    stdout.rawWrite(cast(ubyte[]) uncompress(read(arguments[1]), 0, 31));
}
