let () =
  let input = Gzip.open_in_chan (open_in_bin Sys.argv.(1)) in
  set_binary_mode_out stdout true;
  let bytes = Bytes.create 65536 in
  let rec copy () =
    let count = Gzip.input input bytes 0 65536 in
    if count > 0 then (output stdout bytes 0 count; copy ()) in
  copy ()
