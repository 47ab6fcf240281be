set file [open [lindex $argv 0] rb]
set data [read $file]
fconfigure stdout -translation binary
puts -nonewline [zlib gunzip $data]
