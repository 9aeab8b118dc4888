# directed fuzz, seed 18
sysctl swappiness=100 page-cluster=0
zswap compressor=@comp@ zpool=@zpool@ max_pool_percent=20 accept_threshold_percent=90 enabled=1
swapon @dev@
cg w
spawn A w
alloc A R 512 seed=1018 mix=zero:6,same:3,text:26,heap:15,half:3,threeq:4,sparse:9,rand:100
write A R 0 512
settle
snap s0
pageout A R 0 512 each
settle
snap s1
write A R 196 133
settle
snap s2
free A R 342 62
settle
snap s3
fork A B
settle
snap s4
read B R 23 188
settle
snap s5
free A R 146 15
settle
snap s6
exit B
settle
snap s7
pageout A R 7 18 each
settle
snap s8
pageout A R 294 18 each
settle
snap s9
pageout A R 51 156 each
settle
snap s10
pageout A R 379 6 each
settle
snap s11
write A R 341 38
settle
snap s12
read A R 368 2
settle
snap s13
write A R 385 19
settle
snap s14
pageout A R 87 165 each
settle
snap s15
write A R 362 7
settle
snap s16
free A R 400 3
settle
snap s17
pageout A R 92 4 each
settle
snap s18
pageout A R 301 126 each
settle
snap s19
free A R 281 18
settle
snap s20
read A R 347 13
settle
snap s21
read A R 176 17
settle
snap s22
pageout A R 352 12 each
settle
snap s23
write A R 306 142
settle
snap s24
read A R 82 3
settle
snap s25
pageout A R 340 11 each
settle
snap s26
write A R 26 85
settle
snap s27
write A R 268 5
settle
snap s28
write A R 312 18
settle
snap s29
write A R 368 7
settle
snap s30
read A R 416 18
settle
snap s31
read A R 294 50
settle
snap last
exit A
settle
snap end
