/* Floating constants live in anonymous mergeable sections of 4, 8 and 16 bytes, and are one value away from each other. */
#include "pair.h"
double area(double), third(void), absolute(double), mix(double, float);
float half(float);
int main(void) {
  say("%f %f %f %f %f %f\n", area(2.0), third(), absolute(-2.5), mix(1.5, 2.5f), (double)half(5.0f), 0.125);
  return 0;
}
