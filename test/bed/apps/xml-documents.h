// The documents and schemas of xml.c.
// clang-format off: lines stay as the script or document has them

static const char fleetXml[] =
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    "<!DOCTYPE fleet [\n"
    "  <!ELEMENT fleet (image+)>\n"
    "  <!ATTLIST fleet xmlns CDATA #FIXED 'urn:fleet'>\n"
    "  <!ELEMENT image (title?, page*)>\n"
    "  <!ATTLIST image name CDATA #REQUIRED key ID #IMPLIED>\n"
    "  <!ELEMENT title (#PCDATA)>\n"
    "  <!ELEMENT page EMPTY>\n"
    "  <!ATTLIST page kind (text|rodata|data) 'text' count NMTOKEN '1'>\n"
    "  <!ENTITY web 'web &#38;amp; more'>\n"
    "]>\n"
    "<fleet xmlns='urn:fleet'>\n"
    "  <image name='nginx' key='i1'><title>&web; server</title><page count='278'/><page kind='rodata' count='61'/></image>\n"
    "  <image name='redis' key='i2'><title>k\xc3\xbchn</title><page kind='text' count='402'/><page kind='data' count='12'/></image>\n"
    "  <image name='lua'><title><![CDATA[<lua>]]></title><page/></image>\n"
    "  <image name='empty'/>\n"
    "</fleet>\n";

static const char badFleetXml[] =
    "<!DOCTYPE fleet [<!ELEMENT fleet (image+)><!ELEMENT image EMPTY>"
    "<!ATTLIST image name CDATA #REQUIRED key ID #IMPLIED ref IDREF #IMPLIED>]>\n"
    "<fleet><image/><image name='a' key='k' ref='none'/><image name='b' key='k'>text</image><other/></fleet>";

static const char orderXml[] =
    "<order number='17' date='2023-11-21'>\n"
    "  <item sku='AB-123'><count>3</count><price currency='EUR'>9.50</price></item>\n"
    "  <item sku='CD-456'><count>1</count><price currency='USD'>100</price></item>\n"
    "</order>\n";

static const char badOrderXml[] =
    "<order number='0' date='2023-13-21'>\n"
    "  <item sku='bad'><count>-3</count><price>nine</price></item>\n"
    "  <gift/>\n"
    "</order>\n";

static const char orderRng[] =
    "<element name='order' xmlns='http://relaxng.org/ns/structure/1.0'\n"
    " datatypeLibrary='http://www.w3.org/2001/XMLSchema-datatypes'>\n"
    " <attribute name='number'><data type='positiveInteger'/></attribute>\n"
    " <attribute name='date'><data type='date'/></attribute>\n"
    " <oneOrMore><element name='item'>\n"
    "  <attribute name='sku'><data type='string'><param name='pattern'>[A-Z]{2}-[0-9]{3}</param></data></attribute>\n"
    "  <interleave>\n"
    "   <element name='count'><data type='unsignedInt'/></element>\n"
    "   <element name='price'><attribute name='currency'><choice><value>EUR</value><value>USD</value></choice>"
    "</attribute><data type='decimal'/></element>\n"
    "  </interleave>\n"
    " </element></oneOrMore>\n"
    "</element>\n";

static const char orderXsd[] =
    "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n"
    " <xs:simpleType name='sku'><xs:restriction base='xs:string'><xs:pattern value='[A-Z]{2}-\\d{3}'/>"
    "</xs:restriction></xs:simpleType>\n"
    " <xs:complexType name='price'><xs:simpleContent><xs:extension base='xs:decimal'>"
    "<xs:attribute name='currency' use='required'><xs:simpleType><xs:restriction base='xs:token'>"
    "<xs:enumeration value='EUR'/><xs:enumeration value='USD'/></xs:restriction></xs:simpleType></xs:attribute>"
    "</xs:extension></xs:simpleContent></xs:complexType>\n"
    " <xs:element name='order'><xs:complexType><xs:sequence>\n"
    "  <xs:element name='item' maxOccurs='unbounded'><xs:complexType><xs:sequence>"
    "<xs:element name='count' type='xs:unsignedShort'/><xs:element name='price' type='price'/></xs:sequence>"
    "<xs:attribute name='sku' type='sku' use='required'/></xs:complexType></xs:element>\n"
    " </xs:sequence><xs:attribute name='number' type='xs:positiveInteger'/><xs:attribute name='date' type='xs:date'/>"
    "</xs:complexType>\n"
    " <xs:unique name='one'><xs:selector xpath='item'/><xs:field xpath='@sku'/></xs:unique></xs:element>\n"
    "</xs:schema>\n";

static const char orderSch[] =
    "<schema xmlns='http://purl.oclc.org/dsdl/schematron'>\n"
    " <pattern name='counts'><rule context='item'>"
    "<assert test='count &gt; 0'>an item is ordered at least once</assert>"
    "<report test='price &gt; 1000'>an expensive item</report></rule></pattern>\n"
    "</schema>\n";

static const char includingXml[] =
    "<book xmlns:xi='http://www.w3.org/2001/XInclude'>\n"
    "  <xi:include href='bed-chapter.xml'/>\n"
    "  <xi:include href='bed-note.txt' parse='text'/>\n"
    "  <xi:include href='bed-missing.xml'><xi:fallback>no such chapter</xi:fallback></xi:include>\n"
    "</book>\n";

static const char soupHtml[] =
    "<html><title>Soup &amp; bread</title><body bgcolor=white><p>one<p>two <b>bold <i>both</b> text</i>"
    "<ul><li>a<li>b &eacute; &unknown; &#8364;</ul><img src='x.png'><br><table><tr><td>cell<td>cell</table>"
    "<script>if (a < b) c();</script></html>";

// Opened by name, by XInclude.
const struct BedFile bedFiles[] = {
    {"bed-chapter.xml", "<chapter number='1'>Pages</chapter>"},
    {"bed-note.txt", "a note with <markup> & more"},
    {NULL, NULL},
};
