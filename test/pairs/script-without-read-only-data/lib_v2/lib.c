const char *text(void) { return "a new string, longer"; }
const char *more(void) { return "in both versions"; }
