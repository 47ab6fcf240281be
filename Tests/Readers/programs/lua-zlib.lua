local file = assert(io.open(arg[1], "rb"))
io.write((require("zlib").inflate()(file:read("a"))))
