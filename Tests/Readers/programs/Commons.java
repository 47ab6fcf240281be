import java.io.*;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/** Writes what commons-compress makes of a file; with "all", of all its members. */
class Commons {
    public static void main(String[] arguments) throws IOException {
        boolean all = arguments.length > 1;
        try (InputStream in = new BufferedInputStream(new FileInputStream(arguments[0]));
             InputStream text = new GzipCompressorInputStream(in, all)) {
            text.transferTo(System.out);
        }
        System.out.flush();
    }
}
