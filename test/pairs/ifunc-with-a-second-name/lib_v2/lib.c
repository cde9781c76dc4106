static int chosen(int x) { return x + 200; }
static void *resolve(void) { return (void *)chosen; }
int zoom(int) __attribute__((ifunc("resolve")));
extern int again(int) __attribute__((alias("zoom")));
