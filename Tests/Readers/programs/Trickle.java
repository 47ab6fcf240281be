import java.io.*;
import java.util.zip.GZIPInputStream;

/** Reads a file as it would come over a network: 1,460 bytes at a time, and no more at once. */
class Trickle extends FilterInputStream {
    Trickle(InputStream in) { super(in); }

    @Override public int read(byte[] bytes, int offset, int count) throws IOException {
        return super.read(bytes, offset, Math.min(count, 1460));
    }

    @Override public int available() { return 0; }

    public static void main(String[] arguments) throws IOException {
        InputStream file = new BufferedInputStream(new FileInputStream(arguments[0]));
        try (InputStream text = new GZIPInputStream(arguments.length > 1 ? file : new Trickle(file))) {
            text.transferTo(System.out);
        }
        System.out.flush();
    }
}
