"""Writes what Qt makes of an answer with Content-Encoding: gzip."""
import sys
from PyQt5.QtCore import QCoreApplication, QUrl
from PyQt5.QtNetwork import QNetworkAccessManager, QNetworkReply, QNetworkRequest

application = QCoreApplication([])
manager = QNetworkAccessManager()
request = QNetworkRequest(QUrl(sys.argv[1]))
# Qt's guard against bombs is about smaller answers than these.
if hasattr(request, "setDecompressedSafetyCheckThreshold"):
    request.setDecompressedSafetyCheckThreshold(-1)
answer = manager.get(request)
answer.readyRead.connect(lambda: sys.stdout.buffer.write(bytes(answer.readAll())))
answer.finished.connect(application.quit)
application.exec_()
sys.stdout.buffer.write(bytes(answer.readAll()))
if answer.error() != QNetworkReply.NoError:
    sys.exit(answer.errorString())
