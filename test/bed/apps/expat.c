// expat: a document with a DTD, entities, namespaces, CDATA, comments and
// processing instructions, fed whole and in pieces; then documents that are
// wrong in various ways.
#include "bed.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char document[] =
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    "<!DOCTYPE fleet [\n"
    "  <!ELEMENT fleet (image+)>\n"
    "  <!ELEMENT image (#PCDATA|page)*>\n"
    "  <!ATTLIST image name CDATA #REQUIRED kind (vm|process) 'vm'>\n"
    "  <!ENTITY lib 'libxml2 &amp; friends'>\n"
    "  <!ENTITY both '&lib;, twice: &lib;'>\n"
    "  <!NOTATION gif SYSTEM 'viewer'>\n"
    "]>\n"
    "<fleet xmlns='urn:fleet' xmlns:p='urn:page'>\n"
    "  <!-- two images -->\n"
    "  <image name='nginx' p:shared='61%'>&both; <p:page "
    "at='0x1000'/>\xc3\xa4\xe2\x82\xac</image>\n"
    "  <image name='redis &lt;7&gt;' kind='process'><![CDATA[<raw> & "
    "bytes]]>&#x263A;</image>\n"
    "  <?order redis nginx?>\n"
    "</fleet>\n";

struct State {
  XML_Parser parser;
  int depth, quiet;
  unsigned hash, elements;
  char text[512];
  size_t textBytes;
};

static void say(struct State *state, const char *kind, const char *what,
                const char *more) {
  state->hash = bedHash(state->hash, kind, strlen(kind));
  state->hash = bedHash(state->hash, what, strlen(what));
  state->hash = bedHash(state->hash, more, strlen(more));
  if (!state->quiet)
    printf("%*s%s %s %s\n", 2 * state->depth, "", kind, what, more);
}

static void flush(struct State *state) {
  state->text[state->textBytes] = 0;
  if (strspn(state->text, " \n") != state->textBytes)
    say(state, "text", state->text, "");
  state->textBytes = 0;
}

static void XMLCALL onStart(void *data, const char *name,
                            const char **attributes) {
  struct State *state = data;
  flush(state);
  ++state->elements;
  say(state, "start", name, "");
  for (; *attributes; attributes += 2)
    say(state, "  @", attributes[0], attributes[1]);
  ++state->depth;
}

static void XMLCALL onEnd(void *data, const char *name) {
  struct State *state = data;
  flush(state);
  --state->depth;
  say(state, "end", name, "");
}

static void XMLCALL onText(void *data, const char *text, int bytes) {
  struct State *state = data;
  size_t room = sizeof state->text - 1 - state->textBytes;
  size_t take = (size_t)bytes < room ? (size_t)bytes : room;
  memcpy(state->text + state->textBytes, text, take);
  state->textBytes += take;
}

static void XMLCALL onComment(void *data, const char *text) {
  flush(data);
  say(data, "comment", text, "");
}

static void XMLCALL onInstruction(void *data, const char *target,
                                  const char *text) {
  flush(data);
  say(data, "instruction", target, text);
}

static void XMLCALL onEntity(void *data, const char *name, int isParameter,
                             const char *value, int bytes, const char *base,
                             const char *system, const char *public,
                             const char *notation) {
  (void)isParameter, (void)base, (void)system, (void)public, (void)notation;
  char text[64];
  snprintf(text, sizeof text, "%.*s", value ? bytes : 0, value ? value : "");
  say(data, "entity", name, text);
}

static void XMLCALL onElement(void *data, const char *name,
                              XML_Content *model) {
  char text[64];
  struct State *state = data;
  snprintf(text, sizeof text, "type %d, %u children", (int)model->type,
           model->numchildren);
  say(data, "element", name, text);
  XML_FreeContentModel(state->parser, model);
}

static void XMLCALL onAttribute(void *data, const char *element,
                                const char *name, const char *type,
                                const char *value, int required) {
  char text[96];
  snprintf(text, sizeof text, "%s %s default %s required %d", name, type,
           value ? value : "-", required);
  say(data, "attribute", element, text);
}

static void XMLCALL onNamespace(void *data, const char *prefix,
                                const char *uri) {
  say(data, "namespace", prefix ? prefix : "-", uri ? uri : "-");
}

static unsigned parse(const char *text, size_t bytes, size_t step, int quiet) {
  XML_Parser parser = XML_ParserCreateNS(NULL, '|');
  if (!parser)
    return 0;
  struct State state = {
      .parser = parser, .quiet = quiet, .hash = BED_HASH_START};
  XML_SetHashSalt(parser, 12345);
  XML_SetUserData(parser, &state);
  XML_SetElementHandler(parser, onStart, onEnd);
  XML_SetCharacterDataHandler(parser, onText);
  XML_SetCommentHandler(parser, onComment);
  XML_SetProcessingInstructionHandler(parser, onInstruction);
  XML_SetEntityDeclHandler(parser, onEntity);
  XML_SetElementDeclHandler(parser, onElement);
  XML_SetAttlistDeclHandler(parser, onAttribute);
  XML_SetStartNamespaceDeclHandler(parser, onNamespace);
  enum XML_Status status = XML_STATUS_OK;
  size_t at = 0, part;
  do {
    part = bytes - at < step ? bytes - at : step;
    status = XML_Parse(parser, text + at, (int)part, at + part == bytes);
    at += part;
  } while (at < bytes && status == XML_STATUS_OK);
  if (status != XML_STATUS_OK && !quiet)
    printf("error at %lu:%lu: %s\n", XML_GetCurrentLineNumber(parser),
           XML_GetCurrentColumnNumber(parser),
           XML_ErrorString(XML_GetErrorCode(parser)));
  state.hash = bedHash(state.hash, &state.elements, sizeof state.elements);
  XML_ParserFree(parser);
  return state.hash;
}

static void wrong(void) {
  static const char *const documents[] = {
      "<a><b></a></b>",
      "<a x='1' x='2'/>",
      "<a>&unknown;</a>",
      "<a/><b/>",
      "<p:a/>",
      "<a>\x80</a>",
      "<a>&#0;</a>",
      "<!DOCTYPE a [<!ENTITY x '&y;'><!ENTITY y '&x;'>]><a>&x;</a>",
      "<?xml version='1.0' encoding='x-none'?><a/>",
      "",
      "<a xmlns:p=''/>",
      "<a><![CDATA[",
  };
  for (size_t i = 0; i < sizeof documents / sizeof *documents; ++i) {
    printf("wrong %zu\n", i);
    parse(documents[i], strlen(documents[i]), 1024, 0);
  }
}

// A larger document, for timings.
static unsigned large(void) {
  enum { room = 200000 };
  char *text = malloc(room);
  if (!text)
    return 0;
  size_t at = (size_t)snprintf(text, room, "<list xmlns='urn:list'>");
  for (int i = 0; i < 2000; ++i)
    at += (size_t)snprintf(
        text + at, room - at,
        "<item id='%d' name=\"entry %d\">some text &amp; %d<sub/></item>\n", i,
        i * 7, i * i);
  at += (size_t)snprintf(text + at, room - at, "</list>");
  unsigned hash = parse(text, at, 4096, 1);
  free(text);
  return hash;
}

int main(int argc, char **argv) {
  int repeats = bedRepeats(argc, argv);
  printf("%s\n", XML_ExpatVersion());
  unsigned whole = parse(document, sizeof document - 1, sizeof document, 0);
  unsigned pieces = parse(document, sizeof document - 1, 1, 1);
  printf("in pieces: %s\n", whole == pieces ? "the same" : "different");
  wrong();
  unsigned first = 0;
  for (int i = 0; i < repeats; ++i) {
    unsigned hash = large();
    if (i && hash != first)
      return puts("another result"), 1;
    first = hash;
  }
  printf("hash %08x %08x\n", whole, first);
  return 0;
}
