#define ENTRY(name, value) __attribute__((section(".rodata.table." #name), used)) static const long entry_##name = value;
ENTRY(b, 20)
ENTRY(a, 12)
ENTRY(c, 40)
extern const long tableStart[], tableEnd[];
int first(void) { return tableStart[0]; }
int sum(void) {
  long s = 0;
  for (const long *p = tableStart; p < tableEnd; ++p)
    s = s * 3 + *p;
  return s;
}
