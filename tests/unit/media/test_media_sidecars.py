"""Sidecars and tracks under other names: told by their content, refused in words. Other documents are left alone."""

from __future__ import annotations

import io
import plistlib
import zipfile
from pathlib import Path

import pytest

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, inspect

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"
exif:GPSLatitude="48,8.2323N" exif:GPSLongitude="11,34.5330E"/>
</rdf:RDF></x:xmpmeta>"""
PACKET = f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{XMP}\n<?xpacket end="w"?>'
BARE_RDF = XMP.split("\n", 1)[0].partition(">")[2] + XMP.partition("\n")[2].replace("</x:xmpmeta>", "")
ADJUSTMENTS = {
    "adjustmentBaseVersion": 0,
    "adjustmentData": b"\x01\x02",
    "adjustmentFormatIdentifier": "com.apple.photo",
    "adjustmentEditorBundleID": "com.apple.camera",
}
TAKEOUT = """{
  "title": "IMG_1.HEIC",
  "description": "%s",
  "imageViews": "3",
  "creationTime": {"timestamp": "1714810272", "formatted": "4 May 2024, 08:11:12 UTC"},
  "photoTakenTime": {"timestamp": "1714810272", "formatted": "4 May 2024, 08:11:12 UTC"},
  "geoData": {"latitude": 48.137154, "longitude": 11.576124, "altitude": 0.0},
  "url": "https://photos.google.com/photo/x"
}"""
TAKEOUT_ALBUM = """{
  "title": "Summer", "description": "", "access": "protected",
  "date": {"timestamp": "1714810272", "formatted": "4 May 2024, 08:11:12 UTC"},
  "enrichments": [{"locationEnrichment": {"location": [{"name": "Home"}]}}]
}"""
OLD_TAKEOUT_ALBUM = '{"albumData": {"title": "Summer", "geoInfo": {"latitude_": 48.137154}}}'
SONY = """<?xml version="1.0" encoding="UTF-8"?>
<NonRealTimeMeta xmlns="urn:schemas-professionalDisc:nonRealTimeMeta:ver.2.00" lastUpdate="2024-05-04T10:11:12+02:00">
<Device manufacturer="Sony" modelName="ILCE-7M4" serialNo="4711"/></NonRealTimeMeta>"""
MAVIC = """1
00:00:00,000 --> 00:00:00,033
<font size="28">SrtCnt : 1, DiffTime : 33ms
2024-05-04 10:11:12.345
[iso : 100] [shutter : 1/60.0] [latitude: 48.137154] [longitude: 11.576124] [rel_alt: 1.000 abs_alt: 520.1] </font>
"""
PHANTOM = """1
00:00:01,000 --> 00:00:02,000
F/2.8, SS 60, ISO 100, EV 0, GPS (11.5761, 48.1371, 19), D 2.1m, H 1.0m, H.S 0.0m/s, V.S 0.0m/s
"""
GPX = """<?xml version="1.0"?>
<!-- a walk -->
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg><trkpt lat="48.1" lon="11.5"/></trkseg></trk></gpx>"""
KML = '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><Point/></Placemark></kml>'
TCX = '<?xml version="1.0"?>\n<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"/>'
NMEA = "@Sonygps/ver5.0/wgs-84/20240504081112.000/\r\n$GPGGA,081112.000,4808.2,N,01134.5,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
EXIFTOOL = '[{\n  "SourceFile": "a.jpg",\n  "GPSLatitude": "48 deg 8\' 13.75\\" N"\n}]'
PHOTOPRISM = "TakenAt: 2024-05-04T08:11:12Z\nUID: pqbemz8276mhtobh\nType: image\nLat: 48.137154\nLng: 11.576124\n"
FIT = b"\x0e\x10\xd9\x07\x10\x00\x00\x00.FIT\x00\x00" + b"@\0\0\0\0\6"
APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        " + b"\0\2\0\0\0\x09"


def _zip(*names: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name in names:
            archive.writestr(name, KML)
    return body.getvalue()


SIDECARS = {
    "XMP": XMP,
    "XMP in its packet": PACKET,
    "XMP as darktable writes it": f'<?xml version="1.0" encoding="UTF-8"?>\n{XMP}',
    "XMP without its wrapper": BARE_RDF,
    "AAE": plistlib.dumps(ADJUSTMENTS),
    "binary AAE": plistlib.dumps(ADJUSTMENTS, fmt=plistlib.FMT_BINARY),
    "Takeout": TAKEOUT % "",
    "Takeout with a long description": TAKEOUT % ("word " * 9_000),
    "Takeout's album": TAKEOUT_ALBUM,
    "Takeout's album of old": OLD_TAKEOUT_ALBUM,
    "Sony": SONY,
    "a Mavic's subtitles": MAVIC,
    "a Phantom's subtitles": PHANTOM,
    "ExifTool": EXIFTOOL,
    "PhotoPrism": PHOTOPRISM,
    "RawTherapee": "[Version]\nAppVersion=5.8\nVersion=346\n",
    "DxO": 'Sidecar = {\nSource = {\nItems = {\n{\nName = "a.NEF",\n',
    "AppleDouble": APPLE_DOUBLE,
}
TRACKS = {
    "GPX": GPX,
    "GPX with a prefix": GPX.replace("<gpx", "<g:gpx").replace("</gpx", "</g:gpx").replace("xmlns=", "xmlns:g="),
    "KML": KML,
    "KMZ": _zip("doc.kml"),
    "TCX": TCX,
    "NMEA": NMEA,
    "FIT": FIT,
    "GeoJSON": '{"type": "FeatureCollection", "features": [{"geometry": {"coordinates": [11.57, 48.13]}}]}',
    "location history": '{"locations": [{"latitudeE7": 481371540, "longitudeE7": 115761240}]}',
}
OTHERS = {
    "subtitles": "1\n00:00:00,000 --> 00:00:02,000\nWhere is the latitude? [music]\n",
    "a page about XMP": f"<!doctype html><html><body><pre>{XMP.replace('<', '&lt;')}</pre>&lt;x:xmpmeta</body></html>",
    "an essay that quotes XMP": f"This is how a sidecar begins:\n\n{XMP}\n",
    "a drawing that has XMP inside": f'<svg xmlns="http://www.w3.org/2000/svg"><metadata>{XMP}</metadata></svg>',
    "a list of properties": plistlib.dumps({"CFBundleName": "Notes"}),
    "a program's JSON": '{"title": "a page", "date": "2024-05-04", "access": "all"}',
    "rows": '[{"name": "a"}, {"name": "b"}]',
    "other RDF": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:foaf="http://xmlns.com/foaf/0.1/"/>',
    "a feed": '<?xml version="1.0"?><rss version="2.0"><channel><title>x</title></channel></rss>',
    "settings": "[Version]\nName=Greenroom\n",
    "a list": "# Things\nUID: 1000\nType: image\n",
    "an archive of tracks": _zip("walk.gpx"),
    "a PDF": b"%PDF-1.7\n" + XMP.encode(),
    "bytes": bytes(range(256)) * 20,
    "an unended comment": "<!-- " * 20_000,
}


def _looked_at(tmp_path: Path, name: str, body: str | bytes, limits: Limits, coding: str = "utf-8") -> str:
    path = tmp_path / "upload"
    path.write_bytes(body if isinstance(body, bytes) else body.encode(coding))
    return inspect(path, name, limits).kind


@pytest.mark.parametrize("name", ["notes.txt", "notes.json", "notes.xml", "notes.bin", "notes"])
@pytest.mark.parametrize("kind", SIDECARS)
def test_a_sidecar_is_refused_whatever_it_is_called(tmp_path: Path, limits: Limits, kind: str, name: str) -> None:
    with pytest.raises(InvalidMedia, match=r"^a sidecar of .* never published"):
        _looked_at(tmp_path, name, SIDECARS[kind], limits)


@pytest.mark.parametrize("kind", TRACKS)
def test_a_track_is_a_list_of_places_and_refused(tmp_path: Path, limits: Limits, kind: str) -> None:
    with pytest.raises(InvalidMedia, match=r"^a track of places .* zip archive"):
        _looked_at(tmp_path, "walk.gpx", TRACKS[kind], limits)


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("body", [XMP, TAKEOUT % "Grüße", GPX, f"\n\n  {XMP}"], ids=["XMP", "Takeout", "GPX", "indented"])
def test_a_sidecar_is_known_in_any_unicode(tmp_path: Path, limits: Limits, body: str, coding: str) -> None:
    with pytest.raises(InvalidMedia, match=r"never published"):
        _looked_at(tmp_path, "notes", body, limits, coding)


@pytest.mark.parametrize("kind", OTHERS)
def test_another_document_stays_one(tmp_path: Path, limits: Limits, kind: str) -> None:
    assert _looked_at(tmp_path, "notes", OTHERS[kind], limits) == "document"


@pytest.mark.parametrize("name", [".DS_Store", "IMG_1.THM", "IMG_1.xmp"])
def test_a_by_product_that_became_an_item_before_is_refused_by_its_name(tmp_path: Path, limits: Limits, name: str) -> None:
    with pytest.raises(InvalidMedia, match=r"left out|never published"):
        _looked_at(tmp_path, name, "anything", limits)
