#include "shapes.h"
int Shape::twice() { return area() * 2; }
struct Square : Shape {
  int side;
  Square(int s) : side(s) {}
  int area() override { return side * side; }
  int twice() override { return 222; }
  const char *name() override { return "square"; }
  virtual int extra() { return 9; }
};
struct Circle : Square {
  Circle(int r) : Square(r) {}
  int area() override { return side * side * 31 / 10; }
  int extra() override { return 10; }
};
Shape *makeSquare(int s) { return new Square(s); }
Shape *makeCircle(int r) { return new Circle(r); }
NOINLINE int total(Shape **s, int n) { int sum = 0; while (n--) sum += s[n]->twice(); return sum; }
