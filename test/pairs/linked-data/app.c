/* Structures that point at each other across files, in a cycle, with a tail that moves to other content. */
#include "node.h"
extern struct Node head;
int walk(struct Node *, int);
int main(void) {
  for (int i = 0; i < 7; ++i)
    say("%s=%d ", head.next->name, walk(&head, i));
  say("%d\n", SAME(head.next->next->next, &head));
  return 0;
}
