#include "pair.h"
struct Shape {
  virtual int area() = 0;
  virtual int twice();
  virtual const char *name() { return "shape"; }
};
Shape *makeSquare(int), *makeCircle(int);
int total(Shape **, int);
