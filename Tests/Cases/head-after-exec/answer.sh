#!/bin/sh
while read -r line; do
  case $line in
    *0*) echo no ;;
    *) echo "$line" ;;
  esac
done
