const char *text(void) { return "an old string"; }
const char *more(void) { return "in both versions"; }
