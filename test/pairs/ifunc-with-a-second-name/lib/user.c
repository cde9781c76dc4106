typedef int Function(int);
int zoom(int), again(int);
Function *libTake(void) { return zoom; }
Function *libTakeAgain(void) { return again; }
int libCall(int x) { return zoom(x) * 10 + again(x); }
int libIs(Function *f) { return f == zoom; }
