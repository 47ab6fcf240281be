"""Why lines are dead letters, or fields other than what was sent: each reason with the servers, requests, fields and values
that it holds for, as patterns. A reason that no longer occurs in a whole run is an error too."""

from compare import argue

DEAD_LETTER = "dead letter"

# Rules of docs/formats.md.
argue(
    ".*",
    "user-address-inside",
    DEAD_LETTER,
    "parse.combined: unexpected text before the address.*|parse.common: unexpected text before the address.*",
    "a user of several words, one of which looks like an address",
    formats='"?combined.*|"?common.*|\\{"combined.*|\\{"common.*',
)
NOT_UTF8 = "parse\\.[a-z]+: (?:invalid UTF-8|a NUL) at byte .*"
argue(
    "nginx",
    ".*",
    DEAD_LETTER,
    NOT_UTF8,
    "bytes that are not UTF-8, or NUL, which escape=json and escape=none let through",
    formats='jsonl|.*"escape": .*',
)

# Servers that write what they get.
RAW = (
    "jetty|squid|haproxy|mini-httpd|morgan|plack|paste-waitress|request-logger|mighttpd2|aiohttp|webrick|trafficserver|privoxy|webfs|"
    "rack-puma|hypercorn|cups|uwsgi|gunicorn|h2o|uvicorn|daphne|granian|werkzeug|cherrypy|http-server|civetweb|icecast"
)
QUOTED = "percent|quotes|.*quote.*|agent-fields|agent-json|.*backslash.*|agent-literal-escape"
argue(RAW, QUOTED, DEAD_LETTER, "parse\\.[a-z]+: (?:expected .*)", "the server escapes neither quotes nor backslashes, or only one of them")
argue(RAW, ".*", DEAD_LETTER, NOT_UTF8, "bytes that are not UTF-8, or NUL, as they were sent")
MORE_AFTER = "parse.{}: expected the end of the record at byte \\d+, found a space"
argue(
    "squid",
    ".*",
    DEAD_LETTER,
    MORE_AFTER.format("combined"),
    "Squid's combined has a word after the agent",
    formats="combined",
)
argue(
    "squid",
    ".*",
    DEAD_LETTER,
    "parse.combined: expected a status of three digits and a space at byte \\d+, found '0'",
    "Squid's status of a request without an answer is 0",
    formats="combined",
)
OTHERS = "aiohttp|uvicorn|hypercorn|daphne|granian|werkzeug|cherrypy|tornado|http-server|sanic"
argue(
    OTHERS,
    ".*",
    DEAD_LETTER,
    "parse\\.(?:combined|common): .*",
    "a layout of its own: another order, or a time without a zone",
    formats="combined|common",
)
NO_REQUEST = (r"(?!.*\] \").*", "a line that is about no request: a warning, a traceback")
argue("aiohttp|http-server|werkzeug|granian|hypercorn", ".*", DEAD_LETTER, "parse\\.access: .*", NO_REQUEST[1], lines=NO_REQUEST[0])
argue("uvicorn", ".*", DEAD_LETTER, "parse\\.access: .*", NO_REQUEST[1], lines="WARNING:.*|Traceback.*|  .*|INFO:     (?!.* - \").*")
argue("tornado", ".*", DEAD_LETTER, "parse\\.regex: .*", NO_REQUEST[1], lines="Malformed.*|Invalid.*|Cannot.*|.*Error.*|Traceback.*|  .*")
argue(
    "daphne",
    "agent-c1",
    DEAD_LETTER,
    "parse.access: expected ':' after %h .*",
    "daphne writes None for the client of some requests that it refuses",
)
argue(
    "paste-waitress",
    ".*",
    "time|zone",
    "\\d{4}-\\d\\d-\\d\\dT.*Z|-0250|-0150",
    "Paste writes a zone of its own making: findings/access-log-zones.sh",
)
argue("request-logger", ".*", DEAD_LETTER, MORE_AFTER.format("combined"), "a word after the agent")
argue(
    "webfs",
    ".*",
    "time|zone",
    "\\d{4}-\\d\\d-\\d\\dT.*Z|\\+0000",
    "webfs writes the local time as if it were UTC: findings/access-log-zones.sh",
)
argue("webrick", ".*", DEAD_LETTER, "parse\\.(?:combined|access): .*", "WEBrick writes the name of the zone", lines=r".*:\d\d N[SD]T\] .*")
argue("civetweb", ".*", DEAD_LETTER, "parse\\.combined: .*", "civetweb writes referer and agent without quotes")
argue("cups", ".*", "time|zone", "1970-.*|\\+0530", "CUPS writes the first second of 1970 for a request that it could not read")
argue("rack-puma", ".*", DEAD_LETTER, MORE_AFTER.format("common"), "Rack's common has the seconds after the size")
argue(
    "rack-puma",
    "forwarded-.*",
    DEAD_LETTER,
    "parse.common: expected an address and a space .*",
    "Rack's address is the header X-Forwarded-For: a list, or nothing",
)
CUT = "the server cuts long lines off"
argue(
    "nghttpx|haproxy|civetweb|privoxy|trafficserver|icecast|cups",
    "long|too-long|agent-long",
    DEAD_LETTER,
    "parse\\..*where the record ends",
    CUT,
)
argue("nghttpx|haproxy", "agent-long", "agent", "y+", CUT)
argue("docker-registry", ".*", DEAD_LETTER, "parse.combined: .*", "lines of its log in logfmt", lines="time=.*")
argue("docker-registry", ".*", DEAD_LETTER, "parse.logfmt: .*", "lines of its access log", formats="logfmt", lines=r".* \[.*\] \".*")
argue(
    "docker-registry",
    ".*",
    "agent|referer|method",
    "None",
    "lines of its log in logfmt that are about no request",
    formats="logfmt",
    lines='time=(?!.*msg="response completed").*',
)
argue(
    "docker-registry",
    "agent-absent|agent-dash|agent-latin1|referer-empty|http2",
    "agent|referer",
    "None|-||Z\\\\xfcrich/1",
    "Go's log: an absent agent is an empty text, an empty referer is left out, and bytes that are not UTF-8 stay escapes",
    formats="logfmt",
)

# Syslog.
argue(
    "rsyslog|inetutils|journalctl|busybox|syslog-ng|logger", "tag-blank", "app|pid|message", ".*", "a tag with a blank: no tag can be told"
)
argue(".*", "tag-brackets", "app|pid", "app|x", "a tag that ends in brackets: a process")
argue("rsyslog", "tag-slash", "app", "postfix", "rsyslog's programname ends at a slash")
argue("rsyslog", "very-long|none", "no record|message", "no record has it| ?z+", "rsyslog cuts messages off at 8 KiB")
argue("journalctl", "tab", "message", "a        b id=tab", "journalctl writes a tab as eight blanks")
argue(
    "journalctl",
    "none|control|carriage-return|latin1|long|very-long|c1|line-feed",
    "no record|message",
    r"no record has it|\[[0-9.]+K?B blob data\]|one",
    "journalctl writes [16B blob data] in place of what cannot be printed",
)
argue(
    "journalctl", "line-feed", DEAD_LETTER, "parse.syslog: .*", "journalctl continues a message on a line of its own, with blanks before it"
)
argue(
    "journalctl",
    ".*",
    "dead letter|no record",
    r"parse.syslog: expected a priority such as <34>, or a time at byte 0, found '\['|no record has it",
    "times since boot",
    formats=".*monotonic",
)
argue(
    "rsyslog",
    "tag-long|tag-cut",
    "app|pid|message",
    "None|(?:x{32}|systemd-networkd-wait-online\\[471) a message id=.*",
    "rsyslog cuts a tag off at 32 characters, with its colon: findings/rsyslog-forwarded-tags.sh",
    formats=".*ForwardFormat",
)
argue(
    "busybox|inetutils",
    "long|very-long|none",
    "no record|message",
    "no record has it|[yz]+",
    "the daemon cuts messages off at 1 KiB or less",
)
argue("busybox|inetutils", "none", "message", "syslogd .*|exiting.*|BusyBox.*", "a message of the daemon itself")
argue(
    "busybox",
    "numbered",
    "app|pid|message|severity|facility",
    ".*",
    "busybox writes <109> for a facility without a name",
    formats="syslog: full",
)
argue(
    "syslog-ng|logger",
    "line-feed|none",
    "dead letter|no record|message",
    "parse.syslog: expected a priority such as <34>, or a time at byte 0, found 't'|no record has it|one",
    "a message with a line feed takes two lines",
    formats="syslog: (?:default|\\$ISODATE|--lines|syslog-protocol)",
)
argue(".*", "bom", "message", "with a mark id=bom", "a byte order mark at the beginning of a message of RFC 5424 is removed")
argue("logger", "kern", "facility", "user", "logger makes user of kern")

# logfmt.
argue("structlog", "line-feed", "v", r"a\\nb", "structlog writes a line feed as a backslash and an n, without quotes")
argue("structlog", "tab", "v", "a", "structlog writes a tab without quotes")
argue("structlog|logfmter|logfmt|bc-logfmt-python|logfmt-logger", "none", "v", "", "None is written like an empty text")
argue("logfmtkv", "off|none", "v", "None|True", "logfmtkv writes False as nothing, and None as a key alone")
argue(
    "logfmt|bc-logfmt-python|logfmt-logger",
    "backslash.*|literal-escape",
    "v|dead letter",
    ".*",
    "the package escapes quotes, but not backslashes",
)
argue("logfmt|bc-logfmt-python|logfmt-logger", "line-feed|none", "dead letter", ".*", "the package does not escape line feeds")
