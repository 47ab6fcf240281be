# Answers one JSON line for each, unless told otherwise.
while IFS= read -r line; do
    case $line in
    *'"die"'*) exit 7 ;;
    *'"garbage"'*) echo 'this is no JSON' ;;
    *'"list"'*) echo '[1]' ;;
    *'"hang"'*) exec sleep 60 ;;
    *) printf '%s\n' "$line" ;;
    esac
done
