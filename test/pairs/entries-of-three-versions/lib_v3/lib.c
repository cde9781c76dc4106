volatile int state;
int f1(int x) { state += 2; state *= 3; return state + x; }
int f2(int x) { state += 2; state *= 5; return state + x; }
int f3(int x) { state += 2; state *= 7; return state + x; }
