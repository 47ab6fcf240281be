// Only carries the link flags of libre2; CRE2 includes its C++ header itself.
