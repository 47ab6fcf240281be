using System;
using System.IO;
using System.IO.Compression;

class Program {
    static void Main(string[] arguments) {
        using (var file = File.OpenRead(arguments[0]))
        using (var text = new GZipStream(file, CompressionMode.Decompress))
        using (var output = Console.OpenStandardOutput()) text.CopyTo(output);
    }
}
