program pascal;
uses Classes, SysUtils, ZStream;
var
  input: TGZFileStream;
  output: THandleStream;
  bytes: array[0..65535] of byte;
  count: longint;
begin
  input := TGZFileStream.Create(ParamStr(1), gzopenread);
  output := THandleStream.Create(StdOutputHandle);
  repeat
    count := input.Read(bytes, SizeOf(bytes));
    if count > 0 then output.WriteBuffer(bytes, count);
  until count <= 0;
end.
