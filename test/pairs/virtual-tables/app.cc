/* Virtual tables are constant data full of pointers: overrides and slots change, library and application derive. */
#include "shapes.h"
struct Mine : Shape {
  int area() override { return 5; }
};
int main() {
  Mine mine;
  Shape *shapes[] = {makeSquare(3), makeCircle(2), &mine};
  for (Shape *s : shapes)
    say("%d %d %s\n", s->area(), s->twice(), s->name());
  say("%d\n", total(shapes, 3));
  return 0;
}
