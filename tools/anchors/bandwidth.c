// The limits that merging is measured against: memory bandwidth of two threads
// that copy, read four streams, and sum four bfloat16 streams with AVX-512 and
// stores past the cache. Sizes are GB of traffic; the fastest of seven runs counts.
//   gcc -O3 -march=native -pthread -o bandwidth bandwidth.c
#define _GNU_SOURCE
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <stdint.h>
#include <sys/mman.h>
static double now(){struct timespec t;clock_gettime(CLOCK_MONOTONIC,&t);return t.tv_sec+t.tv_nsec*1e-9;}
enum{N=4}; static uint16_t *in[N],*out; static size_t n; static float w[N]={.4f,.3f,.2f,.1f};
static void kern(size_t a,size_t b){ // bf16 weighted sum avx512
  for(size_t i=a;i<b;i+=32){
    __m512 s0=_mm512_setzero_ps(),s1=s0;
    for(int k=0;k<N;k++){ __m512 wk=_mm512_set1_ps(w[k]);
      __m512i v0=_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((void*)(in[k]+i))),16);
      __m512i v1=_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((void*)(in[k]+i+16))),16);
      s0=_mm512_fmadd_ps(wk,_mm512_castsi512_ps(v0),s0); s1=_mm512_fmadd_ps(wk,_mm512_castsi512_ps(v1),s1);}
    __m512i b0=_mm512_castps_si512(s0),b1=_mm512_castps_si512(s1),one=_mm512_set1_epi32(1),r=_mm512_set1_epi32(0x7fff);
    b0=_mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(b0,r),_mm512_and_si512(_mm512_srli_epi32(b0,16),one)),16);
    b1=_mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(b1,r),_mm512_and_si512(_mm512_srli_epi32(b1,16),one)),16);
    _mm256_stream_si256((void*)(out+i),_mm512_cvtepi32_epi16(b0)); _mm256_stream_si256((void*)(out+i+16),_mm512_cvtepi32_epi16(b1));
  }}
static void* th(void*p){size_t h=n/2;size_t t=(size_t)p; kern(t*h,(t+1)*h);return 0;}
static void* cp(void*p){size_t h=n/2;size_t t=(size_t)p; memcpy(out+t*h,in[0]+t*h,h*2);return 0;}
static volatile uint64_t sink; static void* rd(void*p){size_t h=n/2;size_t t=(size_t)p; uint64_t s=0; for(int k=0;k<N;k++){__m512i a=_mm512_setzero_si512();for(size_t i=t*h;i<(t+1)*h;i+=32)a=_mm512_xor_si512(a,_mm512_loadu_si512(in[k]+i)); s+=_mm512_reduce_add_epi64(a);} sink+=s;return 0;}
static void run(void*(*f)(void*),const char*name,double bytes){double best=1e9;for(int r=0;r<7;r++){double t=now();pthread_t a,b;pthread_create(&a,0,f,(void*)0);pthread_create(&b,0,f,(void*)1);pthread_join(a,0);pthread_join(b,0);t=now()-t;if(t<best)best=t;}printf("%s %.2f GB/s (%.3f s)\n",name,bytes/best/1e9,best);}
int main(){n=256ull<<20; for(int k=0;k<N;k++){in[k]=mmap(0,n*2,3,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);madvise(in[k],n*2,MADV_HUGEPAGE);for(size_t i=0;i<n;i++)in[k][i]=0x3f80+(i*7+k)%97;}
 out=mmap(0,n*2,3,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);madvise(out,n*2,MADV_HUGEPAGE);memset(out,1,n*2);
 run(cp,"memcpy r+w",n*4.0);run(rd,"read 4 streams",n*2.0*N);run(th,"merge4 bf16 avx512 nt",n*2.0*(N+1));}
