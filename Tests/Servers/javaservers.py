"""Java's web servers."""

import os
from xml.sax.saxutils import quoteattr

from programs import Missing, find, free_port
from webservers import COMBINED, COMMON, USERS, Log, plain, server, site, without


def java_and(home):
    if not os.path.isdir(home):
        raise Missing("no folder " + home)
    return find("java"), home


def tomcat_escape(text):
    """Quotes and backslashes with a backslash; bytes beyond ASCII are taken for ISO 8859-1 and written as Java's escapes."""
    result = ""
    for character in text.decode("latin-1"):
        if character in LETTERS_OF_JAVA:
            result += LETTERS_OF_JAVA[character]
        elif " " <= character <= "~":
            result += character
        else:
            result += "\\u%04x" % ord(character)
    return result.encode()


LETTERS_OF_JAVA = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b"}


@server("tomcat10")
def tomcat(place):
    java, home, port = *java_and("/usr/share/tomcat10"), free_port()
    site(place, "webapps/ROOT")
    for folder in ("conf", "logs", "temp", "work", "webapps/ROOT/WEB-INF"):
        place.make(folder)
    place.write(
        "webapps/ROOT/WEB-INF/web.xml",
        '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"><login-config><auth-method>BASIC</auth-method>'
        "<realm-name>x</realm-name></login-config></web-app>",
    )
    place.write(
        "conf/web.xml",
        '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"><servlet><servlet-name>default</servlet-name>'
        "<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class></servlet>"
        "<servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping></web-app>",
    )
    users = "".join(f"<user username={quoteattr(user)} password='secret' roles=''/>" for user in USERS)
    place.write("conf/tomcat-users.xml", f"<tomcat-users>{users}</tomcat-users>")
    patterns = {
        "combined": "combined",
        "common": "common",
        "forwarded": '%{X-Forwarded-For}i %h %u %t "%r" %s %B "%{User-Agent}i" %{Host}i %p %A',
        "times": '%{begin:msec}t %a %u %t %m "%U" "%q" %H %s %b "%r"',
    }
    valve = (
        '<Valve className="org.apache.catalina.valves.{}" directory="{}" prefix="{}" suffix="" rotatable="false" buffered="false" '
        "pattern={}/>"
    )
    valves = "".join(
        valve.format("AccessLogValve", place.path("logs"), name, quoteattr(text)) for name, text in patterns.items()
    )
    valves += valve.format(
        "ExtendedAccessLogValve",
        place.path("logs"),
        "extended",
        '"date time c-ip x-H(authType) cs-method cs-uri-stem cs-uri-query cs(User-Agent) cs(Referer) sc-status bytes time-taken"',
    )
    valves += valve.format(
        "JsonAccessLogValve", place.path("logs"), "json", '"%h %l %u %t &quot;%r&quot; %s %b %{Referer}i %{User-Agent}i %D"'
    )
    connectors = "".join(
        f'<Connector port="{port}" address="{address}" protocol="HTTP/1.1" connectionTimeout="2000"/>' for address in ("127.0.0.1", "::1")
    )
    place.write(
        "conf/server.xml",
        f"""<Server port="-1"><Service name="Catalina">{connectors}<Engine name="Catalina" defaultHost="localhost">
<Realm className="org.apache.catalina.realm.MemoryRealm"/>
<Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false">
<Context path="" docBase="ROOT" preemptiveAuthentication="true"/>{valves}
</Host></Engine></Service></Server>""",
    )
    place.start(
        java,
        "-Xmx256m",
        f"-Dcatalina.home={home}",
        f"-Dcatalina.base={place.folder}",
        f"-Djava.io.tmpdir={place.path('temp')}",
        "-cp",
        f"{home}/bin/bootstrap.jar:{home}/bin/tomcat-juli.jar",
        "org.apache.catalina.startup.Bootstrap",
        "start",
        port=port,
        patience=90,
    )
    of = lambda name: {"access": {"apache": patterns[name]}}
    return port, [
        Log("logs/combined", "combined", tomcat_escape),
        Log("logs/combined", {"combined": {"unescape": True}}, tomcat_escape, undone=True),
        Log("logs/combined", {"access": {"format": "combined"}}, tomcat_escape, undone=True),
        Log("logs/common", "common", tomcat_escape, COMMON),
        Log("logs/common", {"access": {"format": "common"}}, tomcat_escape, COMMON, undone=True),
        Log("logs/forwarded", of("forwarded"), tomcat_escape, without(COMBINED, "referer", forwarded="http_x_forwarded_for"), undone=True),
        Log("logs/times", of("times"), tomcat_escape, without(COMMON, "request", client="client_ip", method="method"), undone=True),
        Log(
            "logs/extended",
            "tsv",
            plain,
            {"client": "c-ip", "status": "sc-status", "agent": "cs(User-Agent)", "referer": "cs(Referer)", "method": "cs-method"},
            undone=True,
            text=True,
        ),
        Log(
            "logs/json",
            "jsonl",
            plain,
            {
                "client": "host",
                "user": "user",
                "request": "request",
                "status": "statusCode",
                "bytes": "size",
                "referer": "requestHeaders.Referer",
            },
            undone=True,
            json=True,
            text=True,
        ),
    ]


@server("jetty9")
def jetty(place):
    java, home, port = *java_and("/usr/share/jetty9"), free_port()
    site(place, "webapps/ROOT")
    place.make("logs")
    place.make("temp")
    place.write(
        "start.ini",
        f"--module=http\n--module=deploy\n--module=customrequestlog\njetty.http.host=127.0.0.1\njetty.http.port={port}\n"
        f"jetty.customrequestlog.filePath={place.path('logs/request')}\njetty.customrequestlog.retainDays=1\n"
        "jetty.customrequestlog.append=true\n",
    )
    place.start(
        java,
        "-Xmx256m",
        f"-Djava.io.tmpdir={place.path('temp')}",
        "-jar",
        f"{home}/start.jar",
        f"jetty.home={home}",
        f"jetty.base={place.folder}",
        port=port,
        patience=90,
    )
    return port, [
        Log("logs/*", "combined", plain, users=False, zone="+0000"),
        Log(
            "logs/*",
            {"access": {"apache": r'%h - %u %t "%r" %s %O "%{Referer}i" "%{User-Agent}i"'}},
            plain,
            without(COMBINED, bytes="bytes_sent"),
            users=False,
            undone=True,
            zone="+0000",
        ),
    ]
