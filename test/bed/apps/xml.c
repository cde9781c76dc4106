// libxml2: the same small documents through the tree, push, SAX, reader and
// writer interfaces, XPath, XPointer, XInclude, canonical form, HTML, and
// validation against a DTD, a RELAX NG schema, an XML Schema and a Schematron,
// each with a good and a bad document.
#include "bed.h"
#include "xml-documents.h"

#include <libxml/HTMLparser.h>
#include <libxml/HTMLtree.h>
#include <libxml/c14n.h>
#include <libxml/debugXML.h>
#include <libxml/parser.h>
#include <libxml/pattern.h>
#include <libxml/relaxng.h>
#include <libxml/schematron.h>
#include <libxml/uri.h>
#include <libxml/valid.h>
#include <libxml/xinclude.h>
#include <libxml/xmlreader.h>
#include <libxml/xmlregexp.h>
#include <libxml/xmlsave.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlwriter.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <libxml/xpointer.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define S(text) ((const xmlChar *)(text))

static int quiet;
static unsigned hash;

static void say(const char *format, ...) {
  char text[4096];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  hash = bedHash(hash, text, strlen(text));
  if (!quiet)
    fputs(text, stdout);
}

static void onError(void *unused, xmlErrorPtr error) {
  (void)unused;
  say("  error %d.%d line %d: %s", error->domain, error->code, error->line,
      error->message ? error->message : "\n");
}

// Schematron reports go through the old interface, one piece of a line at a
// time.
static void onPiece(void *unused, const char *format, ...) {
  (void)unused;
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  say("  %s", text);
}

static xmlDocPtr parse(const char *text, int options) {
  return xmlReadMemory(text, (int)strlen(text), "memory.xml", NULL, options);
}

static void serialise(const char *what, xmlDocPtr doc) {
  xmlChar *text = NULL;
  int bytes = 0;
  xmlDocDumpFormatMemory(doc, &text, &bytes, 1);
  say("%s: %d bytes\n%s", what, bytes, text ? (char *)text : "");
  xmlFree(text);
}

static void xpath(xmlDocPtr doc) {
  static const char *const expressions[] = {
      "count(//f:image)",
      "sum(//f:page/@count)",
      "string(//f:image[@name='redis']/f:title)",
      "//f:image[f:page/@kind='text'][last()]/@name",
      ("//f:page[@count > 100]/ancestor::f:image/@name | "
       "//f:image[not(f:page)]/@name"),
      "translate(normalize-space('  a  b '), 'ab', 'xy')",
      "substring-after(concat('left', '|', 'right'), '|')",
      "round(10 div 3) = 3 and not(2 > 3) and starts-with('atlas', 'at')",
      "id('i2')/@name",
      "//f:page[position() mod 2 = 1]/@kind",
      "1 div 0",
      "//f:image[",
      "unknown()",
  };
  xmlXPathContextPtr context = xmlXPathNewContext(doc);
  xmlXPathRegisterNs(context, S("f"), S("urn:fleet"));
  for (size_t i = 0; i < sizeof expressions / sizeof *expressions; ++i) {
    xmlXPathObjectPtr result =
        xmlXPathEvalExpression(S(expressions[i]), context);
    if (!result) {
      say("xpath %s: none\n", expressions[i]);
      continue;
    }
    xmlChar *text = xmlXPathCastToString(result);
    say("xpath %s: type %d, %d nodes, '%s'\n", expressions[i], result->type,
        result->nodesetval ? result->nodesetval->nodeNr : 0, text);
    xmlFree(text);
    xmlXPathFreeObject(result);
  }
  xmlXPathFreeContext(context);
}

static void tree(void) {
  xmlDocPtr doc =
      parse(fleetXml, XML_PARSE_NOENT | XML_PARSE_DTDLOAD | XML_PARSE_DTDATTR);
  if (!doc)
    return say("not parsed\n");
  xpath(doc);
  xmlNodePtr root = xmlDocGetRootElement(doc);
  xmlNodePtr image = xmlNewTextChild(root, root->ns, S("image"), NULL);
  xmlSetProp(image, S("name"), S("sqlite <3>"));
  xmlNewTextChild(image, root->ns, S("title"), S("a & b"));
  xmlAddChild(image, xmlNewComment(S(" new ")));
  xmlNodePtr first = xmlFirstElementChild(root);
  xmlUnlinkNode(first);
  xmlFreeNode(first);
  serialise("edited", doc);

  xmlChar *canonical = NULL;
  int bytes = xmlC14NDocDumpMemory(doc, NULL, XML_C14N_EXCLUSIVE_1_0, NULL, 1,
                                   &canonical);
  say("canonical: %d bytes, hash %08x\n", bytes,
      canonical ? bedHash(BED_HASH_START, canonical, (size_t)bytes) : 0);
  xmlFree(canonical);

  xmlXPathContextPtr context = xmlXPtrNewContext(doc, NULL, NULL);
  xmlXPathObjectPtr found =
      xmlXPtrEval(S("xpointer(//*[@name='redis'])"), context);
  say("xpointer: %d nodes\n",
      found && found->nodesetval ? found->nodesetval->nodeNr : 0);
  xmlXPathFreeObject(found);
  xmlXPathFreeContext(context);

  xmlDocPtr copy = xmlCopyDoc(doc, 1);
  xmlSaveCtxtPtr save = xmlSaveToFd(1, "ISO-8859-1", XML_SAVE_NO_EMPTY);
  fflush(stdout);
  if (!quiet)
    xmlSaveDoc(save, copy);
  xmlSaveClose(save);
  xmlFreeDoc(copy);
  xmlFreeDoc(doc);
}

static void push(void) {
  xmlParserCtxtPtr context =
      xmlCreatePushParserCtxt(NULL, NULL, NULL, 0, "push.xml");
  for (const char *at = fleetXml; *at; ++at)
    xmlParseChunk(context, at, 1, 0);
  xmlParseChunk(context, NULL, 0, 1);
  say("push: %s, %ld children\n",
      context->wellFormed ? "well-formed" : "not well-formed",
      context->myDoc
          ? (long)xmlChildElementCount(xmlDocGetRootElement(context->myDoc))
          : -1);
  xmlFreeDoc(context->myDoc);
  xmlFreeParserCtxt(context);
}

static void saxStart(void *data, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *uri, int namespaces, const xmlChar **unused,
                     int attributes, int defaulted, const xmlChar **values) {
  (void)unused, (void)values, (void)prefix;
  *(int *)data += 1;
  say("sax %s {%s} %d namespaces, %d attributes, %d defaulted\n", name,
      uri ? uri : S(""), namespaces, attributes, defaulted);
}

static void sax(void) {
  xmlSAXHandler handler = {.initialized = XML_SAX2_MAGIC,
                           .startElementNs = saxStart,
                           .serror = (xmlStructuredErrorFunc)onError};
  int elements = 0;
  int result = xmlSAXUserParseMemory(&handler, &elements, fleetXml,
                                     (int)strlen(fleetXml));
  say("sax: %d, %d elements\n", result, elements);
}

static void reader(void) {
  xmlTextReaderPtr reader = xmlReaderForMemory(fleetXml, (int)strlen(fleetXml),
                                               NULL, NULL, XML_PARSE_DTDATTR);
  int counts[20] = {0}, result, depth = 0;
  while ((result = xmlTextReaderRead(reader)) == 1) {
    int type = xmlTextReaderNodeType(reader);
    if (type >= 0 && type < 20)
      ++counts[type];
    if (xmlTextReaderDepth(reader) > depth)
      depth = xmlTextReaderDepth(reader);
    if (type == XML_READER_TYPE_ELEMENT &&
        xmlTextReaderMoveToAttribute(reader, S("name")) == 1)
      say("reader: %s\n", xmlTextReaderConstValue(reader));
  }
  say("reader: %d, depth %d, %d elements, %d texts, %d ends\n", result, depth,
      counts[1], counts[3], counts[15]);
  xmlFreeTextReader(reader);
}

static void writer(void) {
  xmlBufferPtr buffer = xmlBufferCreate();
  xmlTextWriterPtr writer = xmlNewTextWriterMemory(buffer, 0);
  xmlTextWriterSetIndent(writer, 1);
  xmlTextWriterStartDocument(writer, NULL, "UTF-8", "yes");
  xmlTextWriterStartElementNS(writer, S("w"), S("pool"), S("urn:pool"));
  for (int i = 0; i < 3; ++i) {
    xmlTextWriterStartElement(writer, S("page"));
    xmlTextWriterWriteFormatAttribute(writer, S("at"), "0x%x", 4096 * i);
    xmlTextWriterWriteFormatString(writer, "%d < %d", i, i + 1);
    xmlTextWriterEndElement(writer);
  }
  xmlTextWriterWriteCDATA(writer, S("a ]] b"));
  xmlTextWriterWriteBase64(writer, "base64", 0, 6);
  xmlTextWriterEndDocument(writer);
  xmlFreeTextWriter(writer);
  say("writer:\n%s", xmlBufferContent(buffer));
  xmlBufferFree(buffer);
}

static void include(void) {
  xmlDocPtr doc = parse(includingXml, 0);
  say("xinclude: %d substitutions\n", xmlXIncludeProcess(doc));
  serialise("included", doc);
  xmlFreeDoc(doc);
}

static void dtd(void) {
  xmlValidCtxtPtr context = xmlNewValidCtxt();
  for (int i = 0; i < 2; ++i) {
    xmlDocPtr doc = parse(i ? badFleetXml : fleetXml, XML_PARSE_DTDLOAD);
    say("dtd: %s is %s\n", i ? "bad" : "good",
        xmlValidateDocument(context, doc) ? "valid" : "not valid");
    xmlFreeDoc(doc);
  }
  xmlFreeValidCtxt(context);
}

static void relaxNg(void) {
  xmlRelaxNGParserCtxtPtr parser =
      xmlRelaxNGNewMemParserCtxt(orderRng, (int)strlen(orderRng));
  xmlRelaxNGPtr schema = xmlRelaxNGParse(parser);
  xmlRelaxNGFreeParserCtxt(parser);
  if (!schema)
    return say("relax ng: no schema\n");
  xmlRelaxNGValidCtxtPtr context = xmlRelaxNGNewValidCtxt(schema);
  for (int i = 0; i < 2; ++i) {
    xmlDocPtr doc = parse(i ? badOrderXml : orderXml, 0);
    say("relax ng: %s gives %d\n", i ? "bad" : "good",
        xmlRelaxNGValidateDoc(context, doc));
    xmlFreeDoc(doc);
  }
  xmlRelaxNGFreeValidCtxt(context);
  xmlRelaxNGFree(schema);
}

static void xsd(void) {
  xmlSchemaParserCtxtPtr parser =
      xmlSchemaNewMemParserCtxt(orderXsd, (int)strlen(orderXsd));
  xmlSchemaPtr schema = xmlSchemaParse(parser);
  xmlSchemaFreeParserCtxt(parser);
  if (!schema)
    return say("xml schema: no schema\n");
  xmlSchemaValidCtxtPtr context = xmlSchemaNewValidCtxt(schema);
  for (int i = 0; i < 2; ++i) {
    xmlDocPtr doc = parse(i ? badOrderXml : orderXml, 0);
    say("xml schema: %s gives %d\n", i ? "bad" : "good",
        xmlSchemaValidateDoc(context, doc));
    xmlFreeDoc(doc);
  }
  xmlSchemaFreeValidCtxt(context);
  xmlSchemaFree(schema);
}

static void schematron(void) {
  xmlSchematronParserCtxtPtr parser =
      xmlSchematronNewMemParserCtxt(orderSch, (int)strlen(orderSch));
  xmlSchematronPtr schema = xmlSchematronParse(parser);
  xmlSchematronFreeParserCtxt(parser);
  if (!schema)
    return say("schematron: no schema\n");
  xmlSchematronValidCtxtPtr context =
      xmlSchematronNewValidCtxt(schema, XML_SCHEMATRON_OUT_ERROR);
  xmlSchematronSetValidStructuredErrors(context,
                                        (xmlStructuredErrorFunc)onError, NULL);
  for (int i = 0; i < 2; ++i) {
    xmlDocPtr doc = parse(i ? badOrderXml : orderXml, 0);
    say("schematron: %s gives %d\n", i ? "bad" : "good",
        xmlSchematronValidateDoc(context, doc));
    xmlFreeDoc(doc);
  }
  xmlSchematronFreeValidCtxt(context);
  xmlSchematronFree(schema);
}

static void html(void) {
  htmlDocPtr doc =
      htmlReadMemory(soupHtml, (int)strlen(soupHtml), NULL, NULL, 0);
  xmlChar *text = NULL;
  int bytes = 0;
  htmlDocDumpMemoryFormat(doc, &text, &bytes, 1);
  say("html: %d bytes\n%s", bytes, text ? (char *)text : "");
  xmlFree(text);
  xmlFreeDoc(doc);
}

static void small(void) {
  xmlRegexpPtr expression = xmlRegexpCompile(S("[a-c]+(\\d{2,3}|-x)*\\p{Lu}?"));
  static const char *const words[] = {"abc", "a12-x345B", "a1",
                                      "",    "cZ",        "cZZ"};
  for (size_t i = 0; i < sizeof words / sizeof *words; ++i)
    say("regexp '%s': %d\n", words[i], xmlRegexpExec(expression, S(words[i])));
  xmlRegFreeRegexp(expression);
  xmlChar *uri = xmlBuildURI(S("../b/./c?d#e"), S("http://host/x/y/z"));
  say("uri: %s\n", uri);
  xmlFree(uri);
  static const char *const wrong[] = {
      "<a><b></a>",       "<a b=1/>", "<a>&x;</a>",  "<a/><b/>",
      "<a b='1' b='2'/>", "<p:a/>",   "<a>\xff</a>", "text",
      "<a>&#1;</a>"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    say("wrong %s\n", wrong[i]);
    xmlFreeDoc(parse(wrong[i], 0));
    xmlFreeDoc(parse(wrong[i], XML_PARSE_RECOVER));
  }
}

static void run(void) {
  hash = BED_HASH_START;
  tree();
  push();
  sax();
  reader();
  writer();
  include();
  dtd();
  relaxNg();
  xsd();
  schematron();
  html();
  small();
}

static void writeFile(const struct BedFile *from) {
  FILE *file = fopen(from->name, "w");
  if (file) {
    fputs(from->text, file);
    fclose(file);
  }
}

int main(int argc, char **argv) {
  int repeats = bedRepeats(argc, argv);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (const struct BedFile *file = bedFiles; file->name; ++file)
    writeFile(file);
  xmlInitParser();
  xmlSetStructuredErrorFunc(NULL, (xmlStructuredErrorFunc)onError);
  xmlSetGenericErrorFunc(NULL, onPiece);
  run();
  unsigned first = hash;
  quiet = 1;
  for (int i = 1; i < repeats; ++i) {
    run();
    if (hash != first)
      return puts("another result"), 1;
  }
  xmlCleanupParser();
  for (const struct BedFile *file = bedFiles; file->name; ++file)
    remove(file->name);
  printf("hash %08x, libxml2 %s\n", first, LIBXML_DOTTED_VERSION);
  return 0;
}
