// Parses XML: each line from the console is a document, or after '/' an XPath
// expression over a list of entries that is prepared.
#include "serve.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>

static char *entries(int count) {
  static char text[400000];
  size_t at = (size_t)sprintf(text, "<list>");
  for (int i = 1; i <= count; ++i)
    at += (size_t)sprintf(text + at,
                          "<entry id='%d'><name>entry %d</name>"
                          "<size>%d</size></entry>",
                          i, i, i * 7919 % 1009);
  strcpy(text + at, "</list>");
  return text;
}

static void quiet(void *unused, const char *format, ...) {
  (void)unused, (void)format;
}

static void document(const char *line) {
  xmlDocPtr doc = xmlReadMemory(line, (int)strlen(line), "line.xml", NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR);
  if (!doc) {
    const xmlError *error = xmlGetLastError();
    printf("error %d\n", error ? error->code : 0);
    return;
  }
  xmlNodePtr root = xmlDocGetRootElement(doc);
  xmlChar *text = xmlNodeGetContent(root);
  printf("%s: %lu children, text '%s'\n", (const char *)root->name,
         xmlChildElementCount(root), (const char *)text);
  xmlFree(text);
  xmlFreeDoc(doc);
}

static void path(xmlDocPtr list, const char *line) {
  xmlXPathContextPtr context = xmlXPathNewContext(list);
  xmlXPathObjectPtr found =
      context ? xmlXPathEvalExpression((const xmlChar *)line, context) : NULL;
  xmlChar *text = found ? xmlXPathCastToString(found) : NULL;
  puts(text ? (const char *)text : "error");
  xmlFree(text);
  xmlXPathFreeObject(found);
  xmlXPathFreeContext(context);
}

int main(void) {
  xmlSetGenericErrorFunc(NULL, quiet);
  const char *text = entries(4000);
  xmlDocPtr list = xmlReadMemory(text, (int)strlen(text), "list.xml", NULL, 0);
  if (!list)
    return 1;
  char line[1024];
  while (serveLine(line, sizeof line))
    if (*line == '/')
      path(list, line + 1);
    else
      document(line);
  xmlFreeDoc(list);
  return 0;
}
