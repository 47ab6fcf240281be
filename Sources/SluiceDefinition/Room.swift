// Laid out by the first commit of this room.
