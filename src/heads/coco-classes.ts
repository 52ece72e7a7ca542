/** The 80 classes of COCO in the contiguous order every 80-class detector uses (category ids sorted, gaps closed). */
export const cocoClassNames: readonly string[] = (
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,' +
  'bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,' +
  'skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,' +
  'cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,' +
  'potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,' +
  'refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush'
).split(',');

/** Category ids below 90 that COCO left without objects. */
const unused = [0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83];

/** COCO's names by category id, 91 of them, as DETR, RF-DETR and torchvision count classes; ids without objects are N/A. */
export const cocoCategoryNames: readonly string[] = Array.from({ length: 91 }, (_, id) =>
  unused.includes(id) ? 'N/A' : cocoClassNames[id - unused.filter((gap) => gap < id).length]!,
);
