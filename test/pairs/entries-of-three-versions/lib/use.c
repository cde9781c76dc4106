int f1(int), f2(int), f3(int);
int use(int x) {
  int s = f1(x);
  s = s * 100 + f2(x);
  return s * 100 + f3(x);
}
